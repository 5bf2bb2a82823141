"""What the commands say of asynchronous endpoints: their instances come and go, and an update needs one."""

from model_factory.config import ModelConfig
from model_factory.ops.doctor.needs import needs_of

from .test_status import NOW, endpoint, facts, judge, served


def counts(current, desired):
    return [{"VariantName": "AllTraffic", "CurrentInstanceCount": current, "DesiredInstanceCount": desired}]


def test_endpoint_without_instances_is_live():
    status = judge(facts(**served(6, endpoint=endpoint(6, ProductionVariants=counts(0, 0)))), NOW)
    assert (status.state, status.version, status.findings) == ("live", 6, [])


def test_endpoint_that_starts_an_instance_is_not_deploying():
    status = judge(facts(**served(6, endpoint=endpoint(6, "Updating", ProductionVariants=counts(0, 1)))), NOW)
    assert (status.state, status.deploying_version) == ("live", None)


def test_quota_of_async_endpoint_has_room_for_an_update():
    model = {
        "name": "churn",
        "problem": "regression",
        "data": {"label": "amount"},
        "gate": {"metric": "rmse", "maximum": 1},
        "serving": {"mode": "async", "capture_percent": 0, "instance": "ml.m5.large", "async": {"maximum": 3}},
    }
    needs = needs_of([], {"churn": ModelConfig.model_validate(model)})
    (instances,) = needs.instances
    assert (instances.kind, instances.least, instances.most) == ("ml.m5.large", 2, 6)
    assert needs.scaling
