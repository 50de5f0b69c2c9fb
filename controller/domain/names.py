"""The words that people outside may rely on: labels, annotations, identities (README.md)."""

PREFIX = "bootstrap.avax.network/"

FIELD_MANAGER = "bootstrap-controller"  # stable, so that Argo CD's managedFieldsManagers works [54]
COMPONENT = "bootstrap.avax.network/controller"  # reportingController of our Kubernetes Events

# Labels
TEST = PREFIX + "test"
PHASE = PREFIX + "phase"

# Annotations that a person writes
TRACK = PREFIX + "track"
CONTAINER = PREFIX + "container"
SERIES = PREFIX + "series"
TIMEOUT = PREFIX + "timeout"
SOAK = PREFIX + "soak"
KEEP_FAILED_DATA = PREFIX + "keep-failed-data"
SUSPEND = PREFIX + "suspend"
RETEST = PREFIX + "retest-requested-at"
ABORT = PREFIX + "abort-requested-at"
END_HOLD = PREFIX + "end-hold-requested-at"
TEST_BUILD = PREFIX + "test-build"

# Annotations that the controller writes
MESSAGE = PREFIX + "message"
RECORD = PREFIX + "record"
RUN_ID = PREFIX + "run-id"  # on the pod template, and so on the pod

DEFAULT_CONTAINER = "node"
DEFAULT_SELECTOR = f"{TEST}=true"
