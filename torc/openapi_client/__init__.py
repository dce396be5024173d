"""A torc server for Python scripts: models to fill in, and DefaultApi to send them with.

The names are those of the client that was generated from the API's description, so that its scripts run unchanged.
"""

from torc.openapi_client import models
from torc.openapi_client.api.default_api import DefaultApi
from torc.openapi_client.api_client import ApiClient
from torc.openapi_client.api_response import ApiResponse
from torc.openapi_client.configuration import Configuration
from torc.openapi_client.exceptions import (
    ApiAttributeError,
    ApiException,
    ApiKeyError,
    ApiTypeError,
    ApiValueError,
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    OpenApiException,
    ServiceException,
    UnauthorizedException,
    UnprocessableEntityException,
    ValidationError,
)
from torc.openapi_client.models import *  # noqa: F403  # the list of models stands there

__all__ = [
    "ApiAttributeError",
    "ApiClient",
    "ApiException",
    "ApiKeyError",
    "ApiResponse",
    "ApiTypeError",
    "ApiValueError",
    "BadRequestException",
    "Configuration",
    "ConflictException",
    "DefaultApi",
    "ForbiddenException",
    "NotFoundException",
    "OpenApiException",
    "ServiceException",
    "UnauthorizedException",
    "UnprocessableEntityException",
    "ValidationError",
    *models.__all__,
]
