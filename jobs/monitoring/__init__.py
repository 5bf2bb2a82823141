"""The job monitor: captured requests and late labels of the live version, checked for drift, data quality and model quality."""
