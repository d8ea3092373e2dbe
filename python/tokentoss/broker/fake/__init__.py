"""A broker in memory, for the tests of whoever uses one: real HTTP on the loopback address, no provider."""

from tokentoss.broker.fake.broker import FakeBroker

__all__ = ["FakeBroker"]
