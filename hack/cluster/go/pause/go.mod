// The container that holds each pod's network namespace; see main.go.
module typosentinel/hack/cluster/pause

go 1.26.0
