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

#include "question.h"

/*
 * Asks and waits, with signals blocked: for what is answered at once. Threads ask side by side; two questions
 * of one thread are answered in their order.
 */
int ask_now(const struct ask *ask);
/*
 * The same for what may take long: signals stay open, and their handlers' calls are hooked as ever. -EINTR
 * when a handler without SA_RESTART ran; with a timeout when any did, as socket calls with a timeout do
 * (signal(7)). -ETIMEDOUT after `timeout_ms` (-1: never). A late answer is passed over: nobody sees it.
 */
int ask_patiently(const struct ask *ask, int timeout_ms);
/*
 * Sends what is not answered. It arrives after what this thread asked before, and perhaps after what it asks
 * later.
 */
int ask_tell(const struct ask *message);
/*
 * The same two on a connection of their own, which touches no memory of the process but the stack: for a
 * vfork child. A message is at most two paths long, and so is an answer. ask_tell_apart() returns when the
 * session has the message.
 */
int ask_apart(const struct ask *ask);
int ask_tell_apart(const struct ask *message);

#endif
