// A Go program without cgo, and so a static one. Built and looked at by tests/layer/obstacles_test.ts.
package main

func main() {}
