"""``/compute_nodes``: their records, leases, and the one call of our own runners."""

from falcon import Request, Response

from torc.models.catalogue import COMPUTE_NODES
from torc.models.compute_node import ComputeNode
from torc.models.sync import SyncRequest
from torc.server.codec import answer, read_body
from torc.server.plain import Collection
from torc.store import nodes, sync
from torc.store.database import Database
from torc.store.leases import Leases


class Nodes(Collection):
    """As any collection, but a new node gets a lease."""

    def __init__(self, database: Database, leases: Leases) -> None:
        super().__init__(database, COMPUTE_NODES)
        self.leases = leases

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, nodes.create(self.database, self.leases, read_body(req, ComputeNode)))


class Node:
    """A node that lives."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def on_post_sync(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, sync.sync(self.database, self.leases, record_id, read_body(req, SyncRequest)))

    def on_put_renew(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, nodes.renew(self.database, self.leases, record_id))

    def on_put_release(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, nodes.release(self.database, self.leases, record_id))
