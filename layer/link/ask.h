/*
 * The one way in which operations ask the session, or notify it:
 *
 * 	struct wire_bind message = { .address = address_to_wire(&asked), .stream = true };
 * 	struct wire_bind_reply reply;
 * 	int status = ask_now(ASK(bind, &message, &reply));
 *
 * The message is packed into the link's own memory and the answer is read there: nothing is allocated, and
 * neither is on the stack. All calls return 0 or -errno: the session's refusal, or -EIO once it is lost;
 * -EMSGSIZE where the message is too long for a frame, and nothing was sent.
 */
#ifndef LAYER_ASK_H
#define LAYER_ASK_H

#include <stdbool.h>

#include "hello.h"
#include "question.h"

/*
 * Asks and waits, with signals blocked: for what is answered at once. Threads ask side by side; two questions
 * of one thread are answered in their order.
 */
int ask_now(const struct ask *ask);
/*
 * The same for what may take long: signals stay open, and their handlers' calls are hooked as ever. -EINTR
 * when a handler without SA_RESTART ran; with a timeout when any did, as socket calls with a timeout do
 * (signal(7)). -ETIMEDOUT after `timeout_ms` (-1: never). A late answer is passed over: no caller sees it.
 */
int ask_patiently(const struct ask *ask, int timeout_ms);
/*
 * Sends what is not answered. It arrives after what this thread asked before, and perhaps after what it asks
 * later.
 */
int ask_tell(const struct ask *message);
/*
 * Connects if need be, and learns from hello's answer: 1: the floor is to be caught, 0: it is not, -EIO: the
 * session is lost.
 */
int ask_floor(enum link_floor floor);
/*
 * Set by a door that has hooks, before anything is asked. The function is given whether calls of this thread
 * come from inside the layer; they do not while it waits with signals unblocked: a handler's calls are the
 * app's. It returns what it was given before.
 */
extern bool (*ask_set_inside)(bool inside);

#endif
