"""Events of Systems Manager Parameter Store."""

from local_aws import parameters


def test_parameter_changes_are_events(client, monkeypatch):
    events, emit = [], parameters.emit
    monkeypatch.setattr(parameters, "emit", lambda *event: (events.append(event), emit(*event)))
    ssm = client("ssm")
    ssm.put_parameter(Name="/t/event", Value="1", Type="String", Description="a sample")
    ssm.put_parameter(Name="/t/event", Value="2", Type="String", Overwrite=True)
    ssm.delete_parameter(Name="/t/event")
    ssm.put_parameter(Name="/t/event", Value="1", Type="String")
    ssm.delete_parameters(Names=["/t/event", "/t/missing"])
    assert [detail["operation"] for *_, detail, _ in events] == ["Create", "Update", "Delete", "Create", "Delete"]
    *_, source, detail_type, detail, resources = events[1]
    assert (source, detail_type) == ("aws.ssm", "Parameter Store Change")
    assert detail == {"operation": "Update", "name": "/t/event", "type": "String", "description": "a sample"}
    assert resources[0].endswith(":parameter/t/event")
