// Goes about in the tree at the argument as Go programs do, and prints what it finds: a line each. The import of C links the
// C library in, as programs with cgo have it.
package main

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

func show(what ...any) { fmt.Println(what...) }

func where() string {
	os.Unsetenv("PWD") // Getwd would trust it
	path, err := os.Getwd()
	if err != nil {
		return err.Error()
	}
	return path
}

func names(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{err.Error()}
	}
	found := []string{}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func child(folder string, argv ...string) {
	command := exec.Command(argv[0], argv[1:]...)
	command.Dir = folder
	text, err := command.Output()
	show("child", folder, string(text), err != nil)
}

func main() {
	C.free(nil)
	top := os.Args[1]
	show(os.Chdir(top+"/d"), where(), names("."))
	text, err := os.ReadFile("e")
	show(string(text), err)
	show(os.Chdir("none"), os.Chdir("e"), where())
	child("", "pwd")
	child("..", "ls")
	child(top, "pwd")
	child("/usr", "pwd")
	child("none", "pwd")
	show(where())
	up, err := os.Open("..")
	show(err, up.Chdir(), where())
	found, err := filepath.Glob("*n*")
	show(found, err, os.MkdirAll("n/o/p", 0o755), os.WriteFile("n/o/x", []byte("1"), 0o644), names("n/o"), os.RemoveAll("n"))
	var all sync.WaitGroup
	for index := 0; index < 32; index++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if text, err := os.ReadFile("d/e"); err != nil || string(text) != "deep" {
				show(string(text), err)
			}
		}()
	}
	all.Wait()
	show(os.Chdir("/usr"), where(), len(names("bin")) > 9)
}
