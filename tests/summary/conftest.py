from tests.study.conftest import bench, tracking

__all__ = ["bench", "tracking"]
