"""Every method of the client in one class."""

from torc.openapi_client.api.contents import ActionsApi, ContentsApi
from torc.openapi_client.api.files import FilesApi, UserDataApi
from torc.openapi_client.api.jobs import ClaimsApi, JobsApi
from torc.openapi_client.api.nodes import ComputeNodesApi, ScheduledComputeNodesApi
from torc.openapi_client.api.requirements import ResourceRequirementsApi
from torc.openapi_client.api.results import EventsApi, ResultsApi
from torc.openapi_client.api.schedulers import LocalSchedulersApi, SlurmSchedulersApi
from torc.openapi_client.api.workflows import ServiceApi, WorkflowsApi


class DefaultApi(
    ServiceApi,
    WorkflowsApi,
    ContentsApi,
    ClaimsApi,
    ActionsApi,
    JobsApi,
    FilesApi,
    UserDataApi,
    EventsApi,
    ResultsApi,
    ResourceRequirementsApi,
    ComputeNodesApi,
    ScheduledComputeNodesApi,
    LocalSchedulersApi,
    SlurmSchedulersApi,
):
    """A torc server as methods; ``torc.make_api`` gives one.

    A refusal raises the ApiException of its status, no answer raises ``torc.errors.ServerAway``. Every method exists
    as ``<name>_with_http_info`` and ``<name>_without_preload_content`` as well, and takes the keyword arguments of
    RequestOptions.
    """
