/*
 * A question or a notice: the message, its encoding, and the use of its answer. Made by operations, for
 * ask.h.
 */
#ifndef LAYER_QUESTION_H
#define LAYER_QUESTION_H

#include "../wire.h"

/* Takes an answer, a struct wire_NAME_reply; 0, or -errno for the caller that asked. */
typedef int (*ask_take)(void *context, const void *reply);

/* A message, and what becomes of its answer. Made by the macros below. */
struct ask {
	const struct wire_shape *shape;
	const void *message;
	const struct wire_shape *reply_shape; /* NULL: the answer has nothing to say */
	void *reply;
	ask_take take; /* or NULL */
	void *context;
};

#define ASK_OF_(name, ...) (&(const struct ask){ .shape = &wire_##name##_shape, __VA_ARGS__ })
/* The message `name` of wire.h, at `message`: one without an answer, or with an empty answer. */
#define ASK_TELL(name, at) ASK_OF_(name, .message = (const struct wire_##name *){ at })
/* A question whose answer has no `bytes`, which would not outlive the call; it is put at `into`. */
#define ASK(name, at, into) \
	ASK_OF_(name, .message = (const struct wire_##name *){ at }, .reply_shape = &wire_##name##_reply_shape, \
		.reply = (struct wire_##name##_reply *){ into })
/*
 * A question whose answer is taken by `with`(`to`, reply), where reply points to a struct wire_NAME_reply and
 * to bytes that are valid only then: the link is held meanwhile, so `with` may not ask.
 */
#define ASK_TAKE(name, at, with, to) \
	ASK_OF_(name, .message = (const struct wire_##name *){ at }, .reply_shape = &wire_##name##_reply_shape, \
		.reply = &(struct wire_##name##_reply){ 0 }, .take = (with), .context = (to))

#endif
