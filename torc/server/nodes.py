"""``/compute_nodes``: their records, leases, and the one call of our own runners."""

from torc.models.catalogue import COMPUTE_NODES
from torc.models.compute_node import ComputeNode, NewComputeNode
from torc.models.queries import DeleteAllQuery, DeleteQuery
from torc.models.record import DeletedCount
from torc.models.sync import RenewAnswer, SyncAnswer, SyncRequest
from torc.server.plain import Plain
from torc.store import nodes, sync
from torc.store.database import Database
from torc.store.leases import Leases


class Nodes(Plain):
    """As any resource, but a new node gets a lease, and a node that lives syncs."""

    def __init__(self, database: Database, leases: Leases) -> None:
        super().__init__(database, COMPUTE_NODES)
        self.leases = leases

    def create(self, body: NewComputeNode) -> ComputeNode:
        """Join a workflow with a machine."""
        return nodes.create(self.database, self.leases, body)

    def update(self, record_id: int, body: ComputeNode, given: frozenset[str]) -> ComputeNode:
        """Write over a node: fields that are left out stay, null clears."""
        return nodes.update(self.database, record_id, body, given)

    def delete(self, record_id: int, query: DeleteQuery) -> ComputeNode:
        """Delete a node; 409 while it has jobs or results, unless forced: its jobs are then ready for others."""
        return nodes.delete(self.database, self.leases, record_id, force=query.force)

    def delete_all(self, query: DeleteAllQuery) -> DeletedCount:
        """Delete all nodes of a workflow; 409 while one has jobs or results, unless forced."""
        return DeletedCount(count=nodes.delete_all(self.database, self.leases, query.workflow_id, force=query.force))

    def sync(self, record_id: int, body: SyncRequest) -> SyncAnswer:
        """Report, reconcile and claim in one transaction."""
        return sync.sync(self.database, self.leases, record_id, body)

    def renew(self, record_id: int) -> RenewAnswer:
        """Keep the lease of a node that lives."""
        return nodes.renew(self.database, self.leases, record_id)

    def release(self, record_id: int) -> ComputeNode:
        """Say that a node without a lease is gone: its jobs are ready for others."""
        return nodes.release(self.database, self.leases, record_id)
