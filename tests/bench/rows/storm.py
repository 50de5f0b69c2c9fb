"""All Deployments change at once, and then ten times as many events come while reconciles run: over
HTTP from another process, through informer, cache, queue and workers of the real engine.
"""

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import aiohttp
from loguru import logger

from controller.base.clock import SystemClock
from controller.engine.engine import Engine, EngineOptions
from controller.kube.api.client import KubeClient
from controller.kube.cluster import KubeCluster, Watching
from controller.kube.login.credentials import Credentials
from tests.bench.crowd import Crowd, ports_of
from tests.bench.figure import Figure, Scale, at_most
from tests.bench.held_loop import HeldLoop, held_loop
from tests.bench.population import NAMESPACE, population
from tests.bench.storm_server import NOW
from tests.engine_fakes import FakeRegistry
from tests.machine_engine import Ear
from store.memory import MemoryStore
