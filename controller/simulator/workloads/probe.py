"""A readiness probe, as the manifest asks for it."""

from collections.abc import Callable

import aiohttp

from controller.simulator.apiserver.resources import Object


class Probe:
    """httpGet probes over real HTTP, for a container that has a readiness probe; probes of other
    kinds pass.

    period: seconds between two of them, by the manifest.
    """

    def __init__(
        self,
        container: Object,
        pod_ip: str,
        session: aiohttp.ClientSession,
        local_port: Callable[[int], int | None],
    ) -> None:
        self._container = container
        self._pod_ip = pod_ip
        self._session = session
        self._local_port = local_port
        self._probe: Object = container["readinessProbe"]
        self.period = float(self._probe["periodSeconds"])
        self._passed = False
        self._other = 0

    async def passes(self) -> bool:
        """Asks once, and says what holds by the thresholds."""
        answer = await self._ask()
        self._other = self._other + 1 if answer != self._passed else 0
        threshold = self._probe["successThreshold" if answer else "failureThreshold"]
        if self._other >= threshold:
            self._passed, self._other = answer, 0
        return self._passed

    def reset(self) -> None:
        """Another process: it has to pass by itself."""
        self._passed, self._other = False, 0

    async def _ask(self) -> bool:
        get = self._probe.get("httpGet")
        if get is None:
            return True
        number = self._port(get["port"])
        local = self._local_port(number) if number else None
        if local is None:
            return False
        limit = aiohttp.ClientTimeout(total=self._probe["timeoutSeconds"])
        url = f"http://127.0.0.1:{local}{get['path']}"
        headers = {"Host": f"{self._pod_ip}:{number}"}
        try:
            async with self._session.get(url, headers=headers, timeout=limit) as answer:
                return answer.status < 400
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _port(self, port: int | str) -> int | None:
        if isinstance(port, int):
            return port
        for named in self._container.get("ports") or ():
            if named.get("name") == port:
                return int(named["containerPort"])
        return None
