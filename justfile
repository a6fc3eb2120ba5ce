# What CI runs.
check:
    bash .ci/run

# The main job on the data in this repository.
demo:
    bash .ci/demo
