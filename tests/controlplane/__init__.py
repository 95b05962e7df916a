"""The operator and the CRD on a real kube-apiserver, etcd and kube-controller-manager, without kubelets.

`programs.py` finds or builds the programs, `plane.py` runs them, `conftest.py` hands them to the tests.
"""
