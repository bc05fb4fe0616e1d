/* What the parts of the dnsname plugin share. spec/names.md says how it all goes together. */
#ifndef PLUMB_PLUGINS_DNSNAME_H
#define PLUMB_PLUGINS_DNSNAME_H

#include <sys/types.h>

#include "cni/plugin.h"

#define NAMES "/run/plumb/names"

/* ---- What is asked for (conf.c) ---- */

struct dnsname_conf {
	const char *domain;                     /* "": none */
	bool        internal, forward;
	struct list servers, host_names;        /* of const char * */
	struct { const json_t *aliases; } runtime;
	bool        asks_upstream;              /* settled: forward, unless one of the two says otherwise */
};
extern const struct field dnsname_fields[];
int dnsname_settle(struct cni_call *c);

/* What is wrong with a DNS name, or NULL. */
const char *dns_name_fault(const char *name);

/* How an attachment is called: of const char *, what it is called first by comes first. With the domain and without; `dotted` gets those without that
 * have a dot, which are nobody's but the container's own. */
int names_of(struct cni_call *c, struct list *names, struct list *dotted);

/* ---- Networks (network.c) ---- */

/* A network as its servers need to know it. */
struct network {
	const char *name;
	const char *link;                       /* the bridge; "": whatever link the addresses are asked by */
	struct list addresses;                  /* of struct prefix: the host's own on it, which are asked */
	const char *domain;
	bool        forward;                    /* what is not of the network is asked upstream */
	struct list servers, host_names;        /* of const char * */
};
/* From the call's configuration and prevResult. */
int network_describe(struct cni_call *c, struct network *out);
int network_note(struct cni_call *c, const struct network *n);
/* 1; 0: none of the name; negative. */
int network_recall(struct cni_call *c, const char *name, struct network *out);

/* ADD's answer: who is to be asked, before those that earlier plugins told; the domain, behind theirs. */
int network_answer(struct cni_call *c, const struct network *n);
/* The last one is gone: everything of the network goes. */
int network_remove(struct cni_call *c, const char *network);

/* ---- Attachments (member.c) ---- */

/* An attachment, as it was made. */
struct member {
	const char *network, *container, *ifname;
	const char *netns;                      /* CNI_NETNS, and its inode: 0 where it could not be told */
	long long   inode;
	struct list addresses;                  /* of struct addr; the first names its file of names */
	const char *view;                       /* whose server answers it; "": nobody's yet */
	const char *probe;                      /* a name that only this ADD has given it */
	bool        dotted;                     /* it has names with a dot */
};
int member_begin(struct cni_call *c, struct member *out);       /* ADD's, from the call */
int member_write(struct cni_call *c, const struct member *r);
/* Before any lock is held: who puts the container on another network at the same time shall see it. One of an ADD that died stays. */
int member_announce(struct cni_call *c, const struct member *r);
/* 1; 0: none; negative: that cannot be told. One that is announced only, or damaged, has no addresses and no more than its name. */
int member_read(struct cni_call *c, const char *container, const char *network, const char *ifname, struct member *out);
int member_remove(struct cni_call *c, const struct member *r);
/* Appends all of a container's, of struct member. Goes on where one cannot be read, and tells the first. */
int members_of(struct cni_call *c, const char *container, struct list *out);
/* Appends all of a network's, likewise. */
int members_on(struct cni_call *c, const char *network, struct list *out);
/* GC: containers that have no attachment: what is left of calls that were killed. */
int members_sweep(struct cni_call *c);
/* Whether two attachments are of one container. */
bool member_is_same(const struct member *a, const struct member *b);

/* CHECK: whether it leads to the addresses of prevResult. */
int member_check(struct cni_call *c, const struct member *r);

/* ---- Joining and leaving (join.c) ---- */

/* The locks on the network, and on the others that the container is on, are held (locks_take). ADD: writes down the attachment and its names, and returns
 * when the servers know them; one of the same name that died without a DEL is replaced. */
int network_join(struct cni_call *c, struct member *r, const struct network *n);
/* DEL, GC: takes all of it away, and with the network's last attachment its server. Goes on after a failure, and tells the first; what is on record stays
 * to the end, so that it can be done again. */
int network_leave(struct cni_call *c, const struct member *r);

/* ---- Their names (hosts.c) ---- */

int hosts_write(struct cni_call *c, const struct member *r);
int hosts_remove(struct cni_call *c, const struct member *r);
int hosts_are_there(struct cni_call *c, const struct member *r);        /* 1; 0; negative: that cannot be told */
/* 0, or negative saying that it is not there, or another's. */
int hosts_check(struct cni_call *c, const struct member *r);
/* GC: removes what is of no attachment on record. */
int hosts_sweep(struct cni_call *c);
int hosts_are_left(struct cni_call *c, const char *network);            /* 1; 0; negative: that cannot be told */

/* ---- Files (files.c) ---- */

/* Questions have three answers: 1: it is there; 0: it is not; negative, with words: that cannot be told, and nothing may be taken for gone. */

const char *network_path(struct cni_call *c, const char *network, const char *file);
int names_there(struct cni_call *c, const char *path);
int names_read(struct cni_call *c, const char *path, char **text);
/* A number from 1, on a line of its own: how a process or a port is told. -EBADMSG, without a word: the file holds something else. */
int names_number(struct cni_call *c, const char *path, long max, long *out);
long number_of(const char *text, long max);     /* 0: it is none */
/* Calls each for the entries of a directory, none where it is not there; stops at other than 0 and returns that. */
int names_each(struct cni_call *c, const char *dir, int (*each)(const char *entry, void *arg), void *arg);
int names_has_any(struct cni_call *c, const char *dir);

/* Written whole, with the directories on the way. By one at a time. */
int names_write(struct cni_call *c, const char *path, const char *text);
/* An empty file, where there is none yet. By whomever, at any time. */
int names_mark(struct cni_call *c, const char *path);
/* A file for writing; the descriptor is the caller's. flags: for open(). */
int names_open(struct cni_call *c, const char *path, int flags);
/* 0 also where it is not there; a directory that something is in stays. */
int names_remove(struct cni_call *c, const char *path);
int names_remove_dir(struct cni_call *c, const char *dir);
/* The file stays; what a killed call was about to replace it with does not. */
int names_abandon(struct cni_call *c, const char *path);
/* Removes what killed calls have left in a directory. Where nobody is writing: under its lock. */
int names_clean(struct cni_call *c, const char *dir);

/* The same as JSON: read by a table, -EBADMSG without a word where it is damaged; written from a tree, which is taken over. */
int     names_load(struct cni_call *c, const char *path, const struct field *fields, void *out);
int     names_save(struct cni_call *c, const char *path, json_t *j);
json_t *names_json(const struct list *strings);

/* ---- Locks (locks.c) ---- */

/* An exclusive lock on a file, made where it is not there; the descriptor is the caller's. Waits with a deadline (CNI_TRY_LATER). */
int   names_lock(struct cni_call *c, const char *path, int *out);

/* Locks on networks, in the order of their names. scoped(locks_drop). */
struct locks {
	int    fds[64];
	size_t count;
};
/* On the call's network and on all that the container is on. */
int  locks_take(struct cni_call *c, struct locks *l);
void locks_drop(struct locks *l);

/* ---- Servers (server.c) ---- */

/* A view is a set of networks; whoever is on these, and on no others, is answered by its server. Its name is theirs, joined by '+'. */
struct server {
	const char *view;
	struct list networks;                   /* of struct network */
	uint16_t    port;
};
static inline const struct network *server_network(const struct server *s, size_t i) { return &((const struct network *)s->networks.items)[i]; }

/* Held while what there is of a server is changed. The descriptor is the caller's. */
int server_lock(struct cni_call *c, const char *view, int *out);
/* From what is on disk; its port is 0 where none is chosen yet. */
int server_load(struct cni_call *c, const char *view, struct server *out);
/* The same, and starts it where it does not run as it should. Calls on different networks of a view may do so at the same time: it has a lock of
 * its own, which is taken after those on networks, and held within these functions only. */
int server_run(struct cni_call *c, const char *view, struct server *out);
/* Waits until it knows an attachment by its probe, or does not any more. What does not answer is started anew, once. */
int server_learns(struct cni_call *c, const struct server *s, const struct member *r, bool there);
/* Returns when it has answered what it was asked before now, or does not answer. */
void server_drain(const struct server *s);
/* Tells it anew which names with a dot are containers'. */
int server_tell_dotted(struct cni_call *c, const struct server *s);
/* Ends it, and removes what there is of it. Nothing where there is none. */
int server_stop(struct cni_call *c, const char *view);
/* The same, unless it is on record of which networks it is: who was about to write that was killed. */
int server_stop_nameless(struct cni_call *c, const char *view);

/* ---- Their ports (port.c) ---- */

/* Chooses one, and puts it on record: it stays the view's, as elements in nftables lead there. */
int port_choose(struct cni_call *c, struct server *s);
/* 1; 0: none is chosen yet; negative: that cannot be told. */
int port_read(struct cni_call *c, const char *view, uint16_t *out);

/* ---- Their processes (process.c) ---- */

/* 1; 0; negative: that cannot be told. */
int server_runs(struct cni_call *c, const struct server *s);
/* 1: the view's server runs, by this command line; 0: it does not, or by another; negative. */
int  process_obeys(struct cni_call *c, const char *view, char *const *argv);
/* Ends it, by SIGKILL where it does not go; 0 where there is none, too. */
int  process_end(struct cni_call *c, const char *view);
/* SIGHUP: it reads again which names with a dot are containers'. */
int process_tell(struct cni_call *c, const char *view);
/* Signals a process whose command line has a word; 0 where there is none, too. */
int program_signal(struct cni_call *c, pid_t pid, const char *said, int sig);

/* ---- containers/dnsname (takeover.c) ---- */

/* DEL of a container that it has set up: takes its names away from its server, and with the last the server. 0 or negative. */
int takeover_names(struct cni_call *c);

/* ---- What it is told (command.c) ---- */

const char *server_path(struct cni_call *c, const char *view, const char *file);
/* Its command line, ended by NULL. */
int server_command(struct cni_call *c, const struct server *s, char ***out);
/* Names with a dot that are containers', though they are in no domain of ours: all about them is answered here. */
int server_write_dotted(struct cni_call *c, const struct server *s);

/* ---- Views (view.c) ---- */

bool view_is_of_several(const char *view);
/* Calls each for every view with a network, the network's own first: their servers read its names. Stops at other than 0 and returns that. */
typedef int view_fn(struct cni_call *c, const char *view, void *arg);
int views_with(struct cni_call *c, const char *network, view_fn *each, void *arg);
/* Has everything that is on record of a container answered by the server of all its networks. */
int view_settle(struct cni_call *c, const struct member *r);
/* The container has left the network, and is not answered by views with it any more: what was the last one's is stopped. A network's own serves as long
 * as it has names. */
int views_leave(struct cni_call *c, const struct member *r);
/* GC: containers that are on no record any more leave the network's views. */
int views_sweep(struct cni_call *c, const char *network);

/* ---- Steering: elements in nftables (steer.c) ---- */

int steer(struct cni_call *c, const struct member *r, const struct server *s);
/* A client that asks by the same port again is led to where it asked before, as long as the kernel remembers: no longer. Questions that are not
 * answered yet keep their way, unless the server has been stopped. */
void steer_forget(struct cni_call *c, const struct member *r, const struct server *before, bool stopped);
/* last: of the network, whose own element goes too. */
int unsteer(struct cni_call *c, const struct member *r, bool last);
int steer_check(struct cni_call *c, const struct member *r, const struct server *s);
/* GC: elements of attachments that are not valid. */
int steer_sweep(struct cni_call *c);

/* ---- The host's own resolver (resolved.c) ---- */

/* systemd-resolved asks the network's server for its names from now on, or no longer. Best effort. */
void resolved_route(struct cni_call *c, const struct server *s);
void resolved_forget(struct cni_call *c, const char *link);

/* ---- Programs that we run (program.c) ---- */

/* Where one is; NULL: not installed. */
const char *tool_find(struct cni_call *c, const char *name);

/* A command line, made word by word; NULL: no memory. */
struct words {
	struct cni_call *c;
	struct list      words;                 /* of char * */
	bool             no_memory;
};
void   word(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char **words_argv(struct words *w);

/* Runs it to its end; what it prints is words for the error where it fails. */
int tool_run(char *const *argv, int deadline_ms, struct err *e);

/* ---- A question (ask.c) ---- */

/* Asks for the address of a name once, and waits ms at most. 1: the address is among the answers; 0: it is not; -ETIMEDOUT, or another errno. */
int ask_address(const struct addr *server, uint16_t port, const char *name, const struct addr *address, int ms);
/* The two halves. A question's length, 0: no room. What an answer to it says, as above; -EBADMSG: it is none. */
size_t question_write(uint8_t *out, size_t room, uint16_t id, const char *name, int family);
int    answer_read(const uint8_t *answer, size_t len, const uint8_t *question, size_t question_len, const struct addr *address);

#endif
