"""Work of moto's that is done when it is first needed."""


def test_public_images_exist_only_once_somebody_asks(client, monkeypatch):
    ec2 = client("ec2")
    ec2.describe_vpcs()
    monkeypatch.setattr("moto.ec2.models.amis.load_resource", lambda _: [])  # the images of the first file are enough
    assert ec2.describe_snapshots()["Snapshots"] == []
    assert ec2.describe_images()["Images"]
    assert ec2.describe_snapshots()["Snapshots"]
