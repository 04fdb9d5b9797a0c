"""``hyperbudget ui``: MLflow's pages on a study's store."""

from __future__ import annotations

from pathlib import Path

import click

from hyperbudget.cli.common import StudyArgument, begun, overrides


@click.command("ui")
@click.argument("study", type=StudyArgument())
@overrides
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port on 127.0.0.1.")
def command(study: Path, overrides: tuple[str, ...], port: int) -> int:
    """Serve MLflow's UI on the store that STUDY is recorded in, until Ctrl-C.

    Exit status: MLflow's own, or 2 for bad input.
    """
    import os
    import socket
    import subprocess
    import sys

    from hyperbudget.errors import UserError
    from hyperbudget.study.folder import Stores, masked

    folder = begun(study, overrides)
    tracking = Stores.of(folder).tracking
    if tracking.startswith(("http://", "https://")):
        click.echo(f"MLflow is served already, at {masked(tracking)}")
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(f"--port {port}: something listens there already; choose another one") from None
    click.echo(f"MLflow on {masked(tracking)}: http://127.0.0.1:{port} (Ctrl-C ends it)", err=True)
    serve = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    environment = os.environ | {
        "MLFLOW_BACKEND_STORE_URI": tracking,  # a password in it would be seen on a command line
        # Job execution would start eight more processes, for features that a study does not use.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    try:
        return subprocess.run([*serve, "--port", str(port)], env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
