// A library in Go for programs in other languages: dials, reads a file and serves through Go's own system calls.
package main

import "C"

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
)

// The errno of a dial to `address`, 0 when it was connected.
//
//export GoDial
func GoDial(address *C.char) C.int {
	conn, err := net.Dial("tcp", C.GoString(address))
	if err == nil {
		conn.Close()
		return 0
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return C.int(errno)
	}
	return -1
}

// What is in the file, or the error.
//
//export GoRead
func GoRead(path *C.char) *C.char {
	text, err := os.ReadFile(C.GoString(path))
	if err != nil {
		return C.CString(err.Error())
	}
	return C.CString(string(text))
}

// Answers each request with its client's address, from now on. 0, or 1 when it cannot listen.
//
//export GoServe
func GoServe(port C.int) C.int {
	listener, err := net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", int(port)))
	if err != nil {
		return 1
	}
	go http.Serve(listener, http.HandlerFunc(func(to http.ResponseWriter, request *http.Request) {
		fmt.Fprint(to, request.RemoteAddr)
	}))
	return 0
}

func main() {}
