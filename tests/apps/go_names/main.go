// Looks the hosts of the arguments up as Go programs do, and prints what comes: a line each. The import of C links the
// C library in, as programs with cgo have it.
package main

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"net"
	"os"
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
