// Command hyperkube is the whole of Kubernetes that the test cluster runs, in
// one binary: the first argument (or the name it was started by) picks the
// program, and the rest are that program's own flags. One binary is linked and
// cached once; six of them would share nearly all of their code.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	// kube-proxy and the kubelet count on these registrations being linked in.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	newCommand, found := programs[filepath.Base(os.Args[0])]
	if !found && len(os.Args) > 1 {
		// The programs read os.Args themselves, so they must find their own name first.
		os.Args = os.Args[1:]
		newCommand, found = programs[os.Args[0]]
	}
	if !found {
		fmt.Fprintln(os.Stderr, "hyperkube: the first argument must be one of", slices.Sorted(maps.Keys(programs)))
		os.Exit(2)
	}
	os.Exit(cli.Run(newCommand()))
}
