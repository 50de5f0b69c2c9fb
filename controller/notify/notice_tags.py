"""The tags of Datadog's events, few values each [137]."""

OF_FACTS = ("network", "sync_mode", "phase", "reason")  # by the names of `log_sink.facts`
OF_DEPLOYMENT = ("kube_namespace", "kube_deployment")  # as Datadog itself calls them
TAGS = (*OF_FACTS, *OF_DEPLOYMENT)
