"""Kubeconfigs, and where each leads: the same table for kubectl and for us."""

from tests.kubeconfigs.clusters import CLUSTERS
from tests.kubeconfigs.files import FILES
from tests.kubeconfigs.plugins import PLUGINS
from tests.kubeconfigs.texts import TEXTS
from tests.kubeconfigs.users import USERS

ROWS = [*FILES, *TEXTS, *CLUSTERS, *USERS, *PLUGINS]
