"""How OpenSearch is configured and started for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.servers.java import Java

_OPTIONS = (
    "-XX:+UseSerialGC",
    "-Xss1m",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Djna.nosys=true",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dio.netty.allocator.numDirectArenas=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Djava.locale.providers=SPI,CLDR",
    "-Dopensearch.distribution.type=zip",
    "-Dopensearch.bundled_jdk=false",
)
_MODERN = (
    "--add-modules=jdk.incubator.vector",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)


NEEDED_MODULE = "java.base"


def java_releases(version: str) -> tuple[int, int]:
    """Lowest and highest Java release: 2.x needs the security manager, gone in Java 24."""
    return (11, 23) if version.startswith("2.") else (21, 99)


def configure(folder: Path, home: Path) -> None:
    """Write the configuration of a node, but for its settings."""
    for name in ("config", "data", "logs", "tmp", "repo"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("log4j2.properties", "jvm.options"):
        (folder / "config" / name).write_bytes((home / "config" / name).read_bytes())


def command(
    folder: Path, home: Path, version: str, java: Java, heap: str, *, full_jit: bool
) -> tuple[list[str], Mapping[str, str]]:
    """The command line and the environment of a node.

    Starts in a few seconds: the client compiler alone, no agent (its classes go on the class
    path; it guards plugins, of which there are none), and an archive of loaded classes that
    Java keeps from one run to the next.
    """
    options = [*_OPTIONS, "-Xms256m", f"-Xmx{heap}", f"-Djava.io.tmpdir={folder / 'tmp'}"]
    options += [f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={folder / 'config'}"]
    options += [f"-XX:ErrorFile={folder / 'logs' / 'hs_err.log'}"]
    options += [] if full_jit else ["-XX:TieredStopAtLevel=1"]
    classes = f"{home}/lib/*"
    if java.release >= 20:
        options += [
            one for one in _MODERN if java.has("jdk.incubator.vector") or "vector" not in one
        ]
    if version.startswith("2."):
        options += ["-Djava.security.manager=allow"] if java.release >= 18 else []
    else:
        archive = home.parent / "archives" / f"{home.name}-java{java.release}.jsa"
        options += ["-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={archive}"]
        options += ["-Xlog:cds=off", "-Xlog:aot=off", "-Xlog:cds+dynamic=off"]
        options += ["-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1"]
        classes += f":{home}/agent/*"
    program = [str(java.home / "bin" / "java"), *options, "-cp", classes]
    environment = {"OPENSEARCH_PATH_CONF": str(folder / "config")}
    return [*program, "org.opensearch.bootstrap.OpenSearch"], environment
