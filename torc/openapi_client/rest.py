"""Where scripts written for the existing client import ApiException from."""

from torc.openapi_client.exceptions import ApiException as ApiException
