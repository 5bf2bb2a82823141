"""A function that reads a FIFO queue. Alarms count exceptions and dead letters, and notice messages that wait."""

from pathlib import Path

from aws_cdk import App, Duration, Stack

from model_factory import AlertsTopic, FactoryFunction, TriggerQueue

app = App()
stack = Stack(app, "FactoryFunctionExample")
topic = AlertsTopic(stack, "Alerts")
timeout = Duration.seconds(30)
queue = TriggerQueue(stack, "Queue", function_timeout=timeout, alarm_topic=topic)
source = Path(__file__).parent / "score"
function = FactoryFunction(stack, "Score", source=source, timeout=timeout, alarm_topic=topic)
function.consume(queue.queue)
app.synth()
