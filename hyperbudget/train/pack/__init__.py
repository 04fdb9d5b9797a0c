"""Packs: runs of equal shapes trained as one program, so that many small recurrent networks fill a GPU.

`key.packable` says which runs may share one, `training.PackedTraining` trains it. Nothing here imports torch but what
trains.
"""
