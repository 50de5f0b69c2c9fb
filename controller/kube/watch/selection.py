"""Which objects of one kind are read: by namespace, labels and name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """Nothing else is seen. A name alone is what a Role's `resourceNames` can allow: the API server
    takes it from the field selector [K apiserver/pkg/endpoints/request].
    """

    namespace: str  # empty for all of them
    labels: str  # label selector; empty for any labels
    name: str = ""  # of the only one; empty for all

    def query(self) -> list[tuple[str, str]]:
        """As a request says it."""
        found = [("labelSelector", self.labels)] if self.labels else []
        return [*found, ("fieldSelector", f"metadata.name={self.name}")] if self.name else found
