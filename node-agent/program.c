#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIE_MS = 1000 }; /* how long a killed program may take; the kernel needs microseconds */

struct program {
	int epoll, process, out, err; /* process: a pidfd; -1: none */
	pid_t pid;
	struct buffer output;
	char line[PROGRAM_LINE_MAX + 1]; /* the last one on standard error, as far as it came */
	size_t line_len;
	bool line_ended;
	char fault[PROGRAM_LINE_MAX + 48];
};

int program_split(char *text, char *ret_words[PROGRAM_WORDS_MAX])
{
	char *to = text;
	int count = 0;

	for (;;) {
		char quote = '\0';

		text += strspn(text, " \t");
		if (!*text)
			break;
		if (count == PROGRAM_WORDS_MAX - 1)
			return -EINVAL;
		ret_words[count++] = to;
		for (; *text && (quote || !strchr(" \t", *text)); text++) {
			if (quote ? *text == quote : *text == '"' || *text == '\'')
				quote = quote ? '\0' : *text;
			else
				*to++ = *text;
		}
		if (quote)
			return -EINVAL;
		if (*text)
			text++;
		*to++ = '\0';
	}
	ret_words[count] = NULL;
	return count > 0 ? count : -EINVAL;
}

int program_open(struct program **ret_program)
{
	struct program *program = calloc(1, sizeof(*program));

	if (!program)
		return -ENOMEM;
	program->process = program->out = program->err = -1;
	program->output = BUFFER_LIMITED(PROGRAM_OUTPUT_MAX);
	program->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (program->epoll < 0) {
		int error = errno;

		free(program);
		return -error;
	}
	*ret_program = program;
	return 0;
}

void program_close(struct program *program)
{
	if (!program)
		return;
	program_stop(program);
	buffer_done(&program->output);
	close(program->epoll);
	free(program);
}

int program_fd(const struct program *program)
{
	return program->epoll;
}

bool program_runs(const struct program *program)
{
	return program->pid > 0;
}

/* ---- start ----------------------------------------------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int spawn(pid_t *ret_pid, char *const words[], int out, int err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int r;

	sigemptyset(&none); /* the agent blocks the signals that its loop takes, and ignores SIGPIPE */
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	if (r == 0)
		r = posix_spawnp(ret_pid, words[0], &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int watch(struct program *program, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(program->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Closing a descriptor takes it out of the epoll, as the child has no copy of this side. */
static int watch_all(struct program *program)
{
	int r = program->process < 0 ? -errno : watch(program, program->process);

	if (r >= 0)
		r = watch(program, program->out);
	if (r >= 0)
		r = watch(program, program->err);
	return r;
}

int program_start(struct program *program, char *const words[])
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, r = 0;
	pid_t pid = 0;

	if (program_runs(program))
		return -EBUSY;
	buffer_clear(&program->output);
	program->line[0] = program->fault[0] = '\0';
	program->line_len = 0;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		r = -errno;
	if (r >= 0)
		r = spawn(&pid, words, out[1], err[1]);
	close_fd(&out[1]);
	close_fd(&err[1]);
	if (r < 0) {
		close_fd(&out[0]);
		close_fd(&err[0]);
		return r;
	}
	program->pid = pid;
	program->out = out[0];
	program->err = err[0];
	fcntl(program->out, F_SETFL, O_NONBLOCK);
	fcntl(program->err, F_SETFL, O_NONBLOCK);
	program->process = pidfd_open(pid, 0);
	r = watch_all(program);
	if (r < 0)
		program_stop(program);
	return r;
}

/* ---- output ---------------------------------------------------------------------------------------------------------------------- */

/* Keeps the beginning of the newest line. */
static void keep_line(struct program *program, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			program->line_ended = true;
			continue;
		}
		if (program->line_ended)
			program->line_len = 0;
		program->line_ended = false;
		if (program->line_len < PROGRAM_LINE_MAX)
			program->line[program->line_len++] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
		program->line[program->line_len] = '\0';
	}
}

/* A NUL would end the text there for whoever reads it; the text may not pass without it either. */
static void replace_nuls(char *bytes, size_t len)
{
	for (char *nul = bytes; (nul = memchr(nul, '\0', len - (size_t)(nul - bytes)));)
		*nul = PROGRAM_NUL;
}

/* Returns -EMSGSIZE when it says too much. */
static int drain(struct program *program, int *fd, bool is_output)
{
	char bytes[4096];

	while (*fd >= 0) {
		ssize_t len = read(*fd, bytes, sizeof(bytes));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			break;
		if (len <= 0) {
			close_fd(fd);
			break;
		}
		replace_nuls(bytes, (size_t)len);
		if (!is_output)
			keep_line(program, bytes, (size_t)len);
		else if (buffer_add(&program->output, bytes, (size_t)len) < 0)
			return -EMSGSIZE;
	}
	return 0;
}

static void word_end(struct program *program, const siginfo_t *end)
{
	if (end->si_code != CLD_EXITED)
		snprintf(program->fault, sizeof(program->fault), "killed by signal %d", end->si_status);
	else if (end->si_status != 0)
		snprintf(program->fault, sizeof(program->fault), "status %d%s%s", end->si_status, program->line[0] ? ": " : "",
			 program->line);
}

int program_take(struct program *program)
{
	siginfo_t end = { 0 };
	int r;

	if (!program_runs(program))
		return 0;
	/* First whether it has ended, then its output: what it said before its end is there. */
	if (waitid(P_PIDFD, (id_t)program->process, &end, WEXITED | WNOHANG | WNOWAIT) < 0)
		end.si_pid = 0;
	r = drain(program, &program->err, false);
	if (r >= 0)
		r = drain(program, &program->out, true);
	if (r < 0 || end.si_pid)
		program_stop(program);
	if (r < 0)
		return r;
	if (end.si_pid)
		word_end(program, &end);
	return end.si_pid ? 1 : 0;
}

struct buffer *program_output(struct program *program)
{
	return &program->output;
}

const char *program_fault(const struct program *program)
{
	return program->fault;
}

/* ---- end ------------------------------------------------------------------------------------------------------------------------- */

void program_stop(struct program *program)
{
	struct pollfd dead = { .fd = program->process, .events = POLLIN };

	if (!program_runs(program))
		return;
	/* Not reaped yet, so the number can't be somebody else's; its group may live on without it. */
	kill(-program->pid, SIGKILL);
	kill(program->pid, SIGKILL);
	if (program->process >= 0)
		poll(&dead, 1, DIE_MS);
	waitpid(program->pid, NULL, program->process >= 0 ? WNOHANG : 0);
	program->pid = 0;
	close_fd(&program->process);
	close_fd(&program->out);
	close_fd(&program->err);
}
