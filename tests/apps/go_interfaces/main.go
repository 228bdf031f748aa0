// Prints the network interfaces and their addresses, which Go's runtime asks for by netlink. The import of C links the C
// library in, as programs with cgo have it.
package main

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"net"
)

func main() {
	C.free(nil)
	all, err := net.Interfaces()
	if err != nil {
		fmt.Println(err)
	}
	for _, one := range all {
		addresses, err := one.Addrs()
		fmt.Println(one.Index, one.Name, one.MTU, one.HardwareAddr, one.Flags, addresses, err)
	}
	addresses, err := net.InterfaceAddrs()
	fmt.Println(addresses, err)
}
