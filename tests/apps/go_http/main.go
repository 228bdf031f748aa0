// A net/http server on the port given, linked with the C library as cgo does: who it thinks is asking, and under /walk
// what it finds of the pod by Go's own calls.
package main

// What follows links the C library and lets net resolve names by it; a comment right above it would be C.

import "C"

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
)

func main() {
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(os.Stderr, "seen", request.URL.Path)
		peer, port, _ := net.SplitHostPort(request.RemoteAddr)
		number, _ := strconv.Atoi(port)
		answer(response, map[string]any{
			"by": "local", "pid": os.Getpid(), "peer": peer, "peer_port": number,
			"env": map[string]string{"GREETING": os.Getenv("GREETING")},
		})
	})
	http.HandleFunc("/walk", func(response http.ResponseWriter, request *http.Request) {
		found, err := walk(request)
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(response, found)
	})
	http.HandleFunc("/child", func(response http.ResponseWriter, request *http.Request) {
		output, err := exec.Command("/bin/echo", "a child").Output()
		answer(response, map[string]any{"by": "local", "child": string(output), "error": err})
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+os.Args[1], nil))
	os.Exit(1)
}

func answer(response http.ResponseWriter, found map[string]any) {
	response.Header().Set("Content-Type", "application/json")
	json.NewEncoder(response).Encode(found)
}

func walk(request *http.Request) (map[string]any, error) {
	query := request.URL.Query()
	addresses, err := net.LookupHost(query.Get("name"))
	if err != nil {
		return nil, err
	}
	response, err := http.Get(query.Get("url"))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(query.Get("file"))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"by": "local", "variable": os.Getenv(query.Get("variable")), "addresses": addresses,
		"answer": string(text), "content": string(content),
	}, nil
}
