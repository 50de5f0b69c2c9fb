"""Which of avalanchego's flags take what: names and kinds of its flags of 1.14.2 [97]. A flag of
another version that is not here is taken as it is written.
"""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


SWITCHES = _names(
    """
    api-admin-enabled api-health-enabled api-info-enabled api-metrics-enabled db-read-only
    http-tls-enabled index-allow-incomplete index-enabled log-disable-display-plugin-logs
    log-rotater-compress-enabled meter-vms-enabled network-allow-private-ips
    network-require-validator-to-connect network-tcp-proxy-enabled partial-sync-primary-network
    profile-continuous-enabled proposervm-use-current-height staking-ephemeral-cert-enabled
    staking-ephemeral-signer-enabled sybil-protection-enabled tracing-insecure version
    version-json
    """
)

WHOLE = _names(
    """
    bootstrap-ancestors-max-containers-received bootstrap-ancestors-max-containers-sent
    consensus-app-concurrency create-asset-tx-fee dynamic-fees-bandwidth-weight
    dynamic-fees-compute-weight dynamic-fees-db-read-weight dynamic-fees-db-write-weight
    dynamic-fees-excess-conversion-constant dynamic-fees-max-gas-capacity
    dynamic-fees-max-gas-per-second dynamic-fees-min-gas-price dynamic-fees-target-gas-per-second
    fd-limit http-port log-rotater-max-age log-rotater-max-files log-rotater-max-size
    max-validator-stake min-delegation-fee min-delegator-stake min-validator-stake
    network-health-min-conn-peers network-outbound-connection-throttling-rps
    network-peer-list-num-validator-ips network-peer-read-buffer-size
    network-peer-write-buffer-size router-health-max-outstanding-requests
    stake-max-consumption-rate stake-min-consumption-rate stake-supply-cap staking-port
    sybil-protection-disabled-weight system-tracker-disk-required-available-space
    system-tracker-disk-required-available-space-percentage
    system-tracker-disk-warning-available-space-percentage
    system-tracker-disk-warning-threshold-available-space throttler-inbound-at-large-alloc-size
    throttler-inbound-bandwidth-max-burst-size throttler-inbound-bandwidth-refill-rate
    throttler-inbound-node-max-at-large-bytes throttler-inbound-node-max-processing-msgs
    throttler-inbound-validator-alloc-size throttler-outbound-at-large-alloc-size
    throttler-outbound-node-max-at-large-bytes throttler-outbound-validator-alloc-size tx-fee
    validator-fees-capacity validator-fees-excess-conversion-constant validator-fees-min-price
    validator-fees-target
    """
)

SIGNED = _names(
    """
    profile-continuous-max-files snow-commit-threshold snow-concurrent-repolls
    snow-confidence-quorum-size snow-max-processing snow-optimal-processing
    snow-preference-quorum-size snow-quorum-size snow-sample-size
    """
)

DECIMALS = _names(
    """
    benchlist-bench-probability benchlist-unbench-probability
    network-health-max-portion-send-queue-full network-health-max-send-fail-rate
    network-inbound-connection-throttling-max-conns-per-sec network-timeout-coefficient
    router-health-max-drop-rate throttler-inbound-cpu-max-non-validator-node-usage
    throttler-inbound-cpu-max-non-validator-usage throttler-inbound-cpu-validator-alloc
    throttler-inbound-disk-max-non-validator-node-usage
    throttler-inbound-disk-max-non-validator-usage throttler-inbound-disk-validator-alloc
    tracing-sample-rate uptime-requirement
    """
)

DURATIONS = _names(
    """
    benchlist-duration benchlist-halflife bootstrap-beacon-connection-timeout
    bootstrap-max-time-get-ancestors consensus-frontier-poll-frequency consensus-shutdown-timeout
    health-check-averager-halflife health-check-frequency helicon-min-stake-duration
    http-idle-timeout http-read-header-timeout http-read-timeout http-shutdown-timeout
    http-shutdown-wait http-write-timeout max-stake-duration min-stake-duration
    network-health-max-outstanding-request-duration network-health-max-time-since-msg-received
    network-health-max-time-since-msg-sent network-inbound-connection-throttling-cooldown
    network-initial-reconnect-delay network-initial-timeout network-max-clock-difference
    network-max-reconnect-delay network-maximum-inbound-timeout network-maximum-timeout
    network-minimum-timeout network-no-ingress-connections-grace-period
    network-outbound-connection-timeout network-peer-list-bloom-reset-frequency
    network-peer-list-pull-gossip-frequency network-ping-frequency network-ping-timeout
    network-read-handshake-timeout network-tcp-proxy-read-timeout network-timeout-halflife
    profile-continuous-freq proposervm-min-block-delay public-ip-resolution-frequency
    simplex-max-network-delay simplex-max-rebroadcast-wait snow-max-time-processing
    stake-minting-period system-tracker-cpu-halflife system-tracker-disk-halflife
    system-tracker-frequency system-tracker-processing-halflife
    throttler-inbound-cpu-max-recheck-delay throttler-inbound-disk-max-recheck-delay
    uptime-metric-freq
    """
)

# Of those that take any text, the ones that a verdict rests on.
TEXTS = _names(
    """
    chain-aliases-file chain-aliases-file-content chain-config-content chain-config-dir
    chain-data-dir config-file config-file-content config-file-content-type data-dir db-dir
    db-type genesis-file genesis-file-content http-host network-id upgrade-file
    upgrade-file-content
    """
)

VALUED = WHOLE | SIGNED | DECIMALS | DURATIONS | TEXTS  # the next word is theirs where no `=` is
KNOWN = SWITCHES | VALUED
