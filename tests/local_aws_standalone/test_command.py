"""The command `local-aws`."""

import re
import signal
import socket
import subprocess
import sys

import boto3
import pytest

from local_aws import __version__
from local_aws.cli import main

COMMAND = [sys.executable, "-m", "local_aws"]


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"local-aws {__version__}\n"


def test_image_needs_file_that_exists(capsys, tmp_path):
    assert main(["up", "--image", f"churn={tmp_path / 'none'}"]) == 2
    assert "none, named with --image, does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["up", "--image", "churn"])
    assert "'churn' is not a repository and a file or folder" in capsys.readouterr().err


def test_up_serves_until_interrupted():
    with subprocess.Popen([*COMMAND, "up", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        variables = dict(re.findall(r"export (\w+)=(\S+)", "".join(lines)))
        session = boto3.Session("root", "root", region_name=variables["AWS_DEFAULT_REGION"])
        queues = session.client("sqs", endpoint_url=variables["AWS_ENDPOINT_URL"]).list_queues()
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    assert queues["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_port_in_use_is_one_sentence(taken_port):
    done = subprocess.run([*COMMAND, "up", "--port", str(taken_port)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"local-aws: port {taken_port} cannot be used: Address already in use. Choose another port\n"


@pytest.mark.parametrize("account", ["111111111111", "1111:eu-west-1", "111111111111:europe"])
def test_account_without_region_is_refused(account, capsys):
    with pytest.raises(SystemExit):
        main(["up", "--account", account])
    assert "is not an account id and a region, as in 111111111111:eu-west-1" in capsys.readouterr().err
