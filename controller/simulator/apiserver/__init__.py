"""A small Kubernetes API server over real HTTP: a verified fake of kube-apiserver 1.36.

Its rules, and the recording that shows each, are listed in docs/simulator.md. Not in here: what
controllers, scheduler and kubelet do (they subscribe to `storage` and write through `objects`).
"""
