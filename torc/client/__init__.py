"""Talks to a torc server: ``from torc.client.api import Client``. ``standalone`` starts a private one."""
