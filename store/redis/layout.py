"""The keys of the store in Redis as people read of them: docs/redis.md, docs/reference.md."""

# Key after the prefix, its type, and in Markdown what it holds
LAYOUT = (
    (
        "meta",
        "hash",
        "`schema`; `epoch`, the token that all users of this memory share; `grants` since"
        " it began; `cluster`",
    ),
    (
        "claims:<target>",
        "hash",
        'build → `{"run","owner"}`: who tests or has tested it, for ever',
    ),
    (
        "refill:<epoch>",
        "string",
        "steps that a refill of more than 500 claims has done, until ten minutes after its last",
    ),
    (
        "seen:<target>",
        "sorted set",
        "builds that the followed tag pointed to, by the time when that was first seen,"
        " the newest 1000",
    ),
    (
        "pending",
        "hash",
        "Deployment → the claim whose run is not known to have begun",
    ),
    (
        "deployments",
        "set",
        "Deployments that have a copy of their record",
    ),
    (
        "deployment:<namespace>/<name>",
        "hash",
        "the copy, in fields and whole (`record`)",
    ),
    (
        "run:<target>:<run id>",
        "hash",
        "everything known about a run, until 400 days after its last write",
    ),
    (
        "history",
        "sorted set",
        "ids of transitions by time, the newest 20 000",
    ),
    (
        "history:<target>",
        "sorted set",
        "the same of one target; `bootstrap:history:-` of what is of no target",
    ),
    (
        "transition:<id>",
        "hash",
        "`target` and `body` (JSON) of a transition in a history",
    ),
    (
        "tag:<repository>:<tag>",
        "hash",
        "digest, build by platform, when asked, and the registry's quota: told at once where"
        " digest or error change, else every five minutes",
    ),
    (
        "builds:<index digest>",
        "hash",
        "platform → build, for ever",
    ),
    (
        "evidence:<target>:<run id>",
        "hash",
        "why a run failed: part → bytes, at most 8 MiB, expires",
    ),
)
