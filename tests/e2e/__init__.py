"""The whole of it on the current kube context: images, chart, operator, bots, and fakes that run in the cluster too.

`cluster.py` is the way to the cluster, `fakes.py` the fakes in it, `bots.py` the bots made of the examples.
"""
