"""Environment variables for the CDK CLI and other programs that run on Node.js."""

QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    "NO_COLOR": "1",
    # Node tries ::1 and 127.0.0.1 in turn and gives each a quarter of a second: too little on a busy machine.
    "NODE_OPTIONS": "--dns-result-order=ipv4first --no-network-family-autoselection",
}
