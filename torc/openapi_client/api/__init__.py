"""The methods of the client, in groups."""

from torc.openapi_client.api.default_api import DefaultApi as DefaultApi
