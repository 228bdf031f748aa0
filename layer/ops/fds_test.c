/*
 * Tests of fds.c with real sockets: notes follow the socket, never the number. Run by
 * tests/layer/ops_test.ts.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fds.h"
#include "tap.h"

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static union name at_port(uint16_t port)
{
	union name name;

	memset(&name, 0, sizeof(name));
	name.v4.sin_family = AF_INET;
	address_set_port(&name, port);
	return name;
}

static void put(int fd, enum fds_state state, uint16_t port)
{
	struct fds_note socket = { .state = state, .asked = at_port(port), .actual = at_port(port) };

	fds_put(fd, &socket);
}

static bool get(int fd, struct fds_note *note)
{
	struct fds_handle handle;
	bool found = fds_find(fd, &handle);

	*note = handle.note;
	return found;
}

static void listens(int fd)
{
	struct fds_handle handle;

	fds_find(fd, &handle);
	handle.note.state = FDS_LISTENER;
	fds_save(&handle);
}

static bool change(int fd, const struct fds_note *note)
{
	struct fds_handle handle;

	fds_find(fd, &handle);
	handle.note = *note;
	return fds_save(&handle);
}

static void one_socket(void)
{
	struct fds_note socket;
	int fd = tcp();

	ok(!fds_has(fd) && !get(fd, &socket), "a new socket has no note");
	put(fd, FDS_BOUND, 80);
	ok(get(fd, &socket) && socket.state == FDS_BOUND, "what is put is there");
	listens(fd);
	ok(get(fd, &socket) && socket.state == FDS_LISTENER, "a bound socket comes to listen");
	ok(address_port(&socket.asked) == 80, "and keeps its address");
	ok(fds_drop(fd, &socket) && address_port(&socket.actual) == 80, "its only descriptor is the last");
	ok(!fds_has(fd) && !fds_drop(fd, &socket), "what is dropped is gone");
	put(fd, FDS_ACCEPTED, 80);
	ok(!fds_drop(fd, &socket), "a connection is no listener");
	close(fd);
}

static void two_descriptors(void)
{
	struct fds_note socket;
	int fd = tcp(), copy = dup(fd);

	put(fd, FDS_BOUND, 80);
	fds_copy(fd, copy);
	listens(copy);
	ok(get(fd, &socket) && socket.state == FDS_LISTENER, "both descriptors listen");
	ok(!fds_drop(fd, &socket), "the first of two is not the last");
	ok(get(copy, &socket), "the other keeps the note");
	put(fd, FDS_LISTENER, 80);
	ok(!fds_drop(copy, &socket), "nor is it when both were noted by themselves");
	ok(fds_drop(fd, &socket), "the second is");
	close(copy);
	close(fd);
}

static void stale(void)
{
	struct fds_note socket;
	int fd = tcp(), again;

	put(fd, FDS_ACCEPTED, 80);
	close(fd);
	again = tcp();
	ok(again == fd && fds_has(again), "the number is used again");
	ok(!get(again, &socket) && !fds_has(again), "the old note is not the new socket's");
	put(again, FDS_ACCEPTED, 80);
	close(again);
	ok(!get(again, &socket), "a closed number has no note");
	put(-1, FDS_BOUND, 80);
	put(1 << 30, FDS_BOUND, 80);
	ok(!fds_has(-1) && !fds_has(1 << 30), "impossible numbers are not noted");
}

static uint32_t lost;

static void on_lost(const struct fds_note *note)
{
	lost = note->file.id;
}

static void files(void)
{
	struct fds_note note = { .state = FDS_FILE, .file = { .id = 7 } };
	int first = memfd_create("first", 0), copy = dup(first), second;

	fds_put(first, &note);
	fds_copy(first, copy);
	ok(get(copy, &note) && note.state == FDS_FILE && note.file.id == 7, "a file is noted as a socket is");
	note.file.flags = 9;
	ok(change(first, &note) && get(copy, &note) && note.file.flags == 9, "a change is seen by both");
	ok(!fds_drop(first, &note) && fds_drop(copy, &note), "the second of two is the last");
	ok(!change(first, &note), "nothing to change");
	fds_put(first, &note);
	close(first);
	second = memfd_create("second", 0);
	fds_lost = on_lost;
	ok(second == first && !get(second, &note), "another file at its number is not it");
	ok(lost == 7, "and its owner is notified of the end that no hook saw");
	fds_lost = NULL;
	close(second);
	close(copy);
}

/*
 * As many connections at a time as a busy client has; the notes of ended ones are used again, and their
 * memory.
 */
static void thousands(void)
{
	enum { COUNT = 900, ROUNDS = 100 };
	struct fds_note note;
	int fds[COUNT], wrong = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < COUNT; i++) {
			fds[i] = tcp();
			put(fds[i], FDS_CONNECTED, (uint16_t)i);
		}
		for (int i = 0; i < COUNT; i++) {
			wrong += !get(fds[i], &note) || !fds_drop(fds[i], &note) || address_port(&note.asked) != i;
			close(fds[i]);
		}
	}
	ok(wrong == 0, "90000 connections, 900 at a time, are each noted");
}

static void searching(void)
{
	struct fds_note socket, wanted = { .state = FDS_BOUND, .asked = at_port(81) };
	int first = tcp(), second = tcp();

	put(first, FDS_BOUND, 80);
	put(second, FDS_LISTENER, 81);
	ok(fds_next(0, ~0u) == first && fds_next((unsigned int)first + 1, ~0u) == second, "notes come in order");
	ok(fds_next((unsigned int)second + 1, ~0u) == -1, "and end");
	ok(fds_any(FDS_LISTENER) && !fds_any(FDS_ACCEPTED), "a state is found or not");
	ok(fds_find_asked(first, &wanted, &socket) && address_port(&socket.asked) == 81, "an asked port is found");
	ok(!fds_find_asked(second, &wanted, &socket), "but not one's own");
	wanted.flags = 1;
	ok(!fds_find_asked(first, &wanted, &socket), "nor one of another protocol");
	fds_drop(first, &socket);
	fds_drop(second, &socket);
	close(first);
	close(second);
}

/* More descriptors than there are notes, put and dropped over and over: none may leak. */
static void exhaustion(void)
{
	struct fds_note socket;
	int fd = tcp();
	bool kept = true;

	for (int i = 0; i < 200000 && kept; i++) {
		put(fd, FDS_ACCEPTED, 80);
		kept = fds_has(fd);
	}
	ok(kept, "notes put over older ones do not leak");
	fds_drop(fd, &socket);
	for (int i = 0; i < 200000 && kept; i++) {
		put(fd, FDS_ACCEPTED, 80);
		kept = fds_has(fd);
		fds_drop(fd, &socket);
	}
	ok(kept, "dropped notes are used again");
	close(fd);
}

static void *churn(void *wrong)
{
	struct fds_note socket;

	for (int i = 0; i < 20000; i++) {
		int fd = tcp(), copy;
		uint16_t port = (uint16_t)(fd + 1);

		put(fd, FDS_LISTENER, port);
		copy = dup(fd);
		fds_copy(fd, copy);
		if (!get(copy, &socket) || address_port(&socket.asked) != port)
			__atomic_fetch_add((int *)wrong, 1, __ATOMIC_RELAXED);
		if (fds_drop(fd, &socket) || !fds_drop(copy, &socket))
			__atomic_fetch_add((int *)wrong, 1, __ATOMIC_RELAXED);
		close(copy);
		close(fd);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t ids[4];
	int wrong = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, churn, &wrong);
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	ok(wrong == 0, "threads see their own sockets' notes");
	ok(fds_next(0, ~0u) == -1, "and leave none behind");
}

static void handles(void)
{
	struct fds_handle one, other;
	struct fds_note socket;
	int fd = tcp(), copy = dup(fd);

	ok(!fds_find(fd, &one) && one.number == 0 && one.note.state == FDS_LOCAL, "a handle may have no note");
	ok(!fds_save(&one), "and then nothing is changed");
	one.note = (struct fds_note){ .state = FDS_BOUND, .asked = at_port(80) };
	fds_renew(&one);
	ok(one.number != 0 && get(fd, &socket) && socket.state == FDS_BOUND, "until it is noted");
	fds_copy(fd, copy);
	ok(fds_find(copy, &other) && other.number == one.number, "two descriptors find one note");
	one.note = (struct fds_note){ .state = FDS_LISTENER, .asked = at_port(80) };
	ok(fds_save(&one) && get(copy, &socket) && socket.state == FDS_LISTENER, "which changes for both");
	ok(!fds_forget(&other) && !fds_has(copy) && !fds_forget(&other), "one is forgotten, once");
	ok(fds_find_object(copy, &other) && other.fd == copy && other.number == one.number, "and found by its object");
	ok(fds_forget(&one) && !fds_find_object(copy, &other), "until the last is forgotten");
	close(fd);
	fd = dup2(tcp(), fd);
	ok(!fds_save(&one), "a forgotten note is not changed");
	close(copy);
	close(fd);
}

int main(void)
{
	handles();
	one_socket();
	two_descriptors();
	stale();
	searching();
	exhaustion();
	files();
	thousands();
	threads();
	return tap_end();
}
