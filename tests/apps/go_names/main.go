// Looks the hosts of the arguments up as Go programs do, and prints what comes: a line each. The import of C links the
// C library in, as programs with cgo have it.
package main

// #include <stdlib.h>
import "C"

import (
	"context"
	"fmt"
	"net"
	"os"
	"sort"
	"sync"
)

func main() {
	C.free(nil)
	hosts := os.Args[1:]
	for _, host := range hosts {
		addresses, err := net.LookupHost(host)
		fmt.Println(host, addresses, err)
		names, err := net.LookupAddr(host)
		fmt.Println(host, names, err != nil)
	}
	// Go's own resolver: it reads the files and asks the name servers by itself.
	own := &net.Resolver{PreferGo: true}
	for _, host := range hosts {
		addresses, err := own.LookupHost(context.Background(), host)
		sort.Strings(addresses) // its order is by routes that it looks at by itself
		fmt.Println(host, addresses, err)
	}
	var all sync.WaitGroup
	found := make([]string, 64)
	for index := range found {
		index := index
		all.Add(1)
		go func() {
			defer all.Done()
			addresses, err := net.LookupHost(hosts[index%len(hosts)])
			found[index] = fmt.Sprint(addresses, err)
		}()
	}
	all.Wait()
	fmt.Println(found)
	name, err := os.Hostname()
	fmt.Println(name, err)
}
