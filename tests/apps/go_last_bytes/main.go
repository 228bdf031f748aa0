// Sends bytes, closes and ends: host port size.
package main

import "C" // linked with the C library, and dynamically

import (
	"net"
	"os"
	"strconv"
)

func main() {
	size, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	connection, err := net.Dial("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
	if err != nil {
		panic(err)
	}
	if _, err = connection.Write(make([]byte, size)); err != nil {
		panic(err)
	}
	connection.Close()
}
