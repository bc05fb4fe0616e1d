#include "calls.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* What the manual pages name, what a full disk or a refusing seccomp filter answers, and what an overrun netlink socket does. Calls without an error are those
 * that the kernel does not refuse, and questions whose refusal is the usual answer. close() always
 * closes. */
static const struct { long number; const char *name, *errors; } calls[] = {
#define CALL(name, errors) { SYS_##name, #name, errors },
#define FILE_MADE   "ENOMEM ENOSPC EIO EROFS EMFILE"
#define NAME_MADE   "ENOSPC EIO EACCES EROFS ~EIO"
#define NAME_GONE   "EIO EBUSY EACCES EROFS ~EIO"
	CALL(openat, FILE_MADE) CALL(mkdirat, NAME_MADE) CALL(linkat, NAME_MADE) CALL(renameat2, NAME_MADE) CALL(unlinkat, NAME_GONE)
	CALL(read, "EINTR EIO") CALL(pread64, "EIO") CALL(readlinkat, "EIO ENOMEM") CALL(getdents64, "EIO ENOMEM")
	CALL(write, "EINTR EIO ENOSPC ~EIO") CALL(writev, "EINTR EIO ENOSPC") CALL(pwrite64, "EIO ENOSPC") CALL(fallocate, "EINTR ENOSPC EIO EOPNOTSUPP")
	CALL(ftruncate, "EINTR EIO EPERM") CALL(utimensat, "EPERM EROFS") CALL(fchmod, "EPERM EROFS") CALL(fsync, "EIO ENOSPC")
	CALL(fstat, "ENOMEM EIO") CALL(newfstatat, "ENOMEM EACCES EIO") CALL(statx, "ENOMEM EACCES EIO") CALL(faccessat, "ENOMEM EACCES")
	CALL(faccessat2, "ENOMEM EACCES") CALL(lseek, "EINVAL") CALL(close, "~EINTR ~EIO") CALL(flock, "EINTR ENOLCK") CALL(fcntl, "EINTR ENOLCK")
	CALL(dup3, "EMFILE EBUSY") CALL(pipe2, "EMFILE ENFILE") CALL(ioctl, "")
	CALL(mmap, "ENOMEM") CALL(munmap, "ENOMEM") CALL(mremap, "ENOMEM") CALL(mprotect, "ENOMEM") CALL(madvise, "") CALL(brk, "")
	CALL(socket, "EMFILE ENOMEM EPERM EAFNOSUPPORT EPROTONOSUPPORT") CALL(bind, "EADDRINUSE ENOMEM EPERM") CALL(connect, "ENOMEM ECONNREFUSED")
	CALL(getsockname, "ENOBUFS") CALL(setsockopt, "ENOMEM ENOPROTOOPT EPERM") CALL(getsockopt, "ENOPROTOOPT")
	CALL(sendto, "EINTR ENOMEM ENOBUFS EPERM") CALL(sendmsg, "EINTR ENOMEM ENOBUFS EPERM")
	CALL(recvfrom, "EINTR ENOMEM ENOBUFS ~ENOBUFS") CALL(recvmsg, "EINTR ENOMEM ENOBUFS ~ENOBUFS")
	CALL(ppoll, "EINTR ENOMEM") CALL(pselect6, "EINTR ENOMEM") CALL(nanosleep, "EINTR") CALL(clock_nanosleep, "EINTR")
	CALL(setns, "ENOMEM EPERM") CALL(unshare, "ENOMEM EPERM") CALL(mount, "EBUSY ENOMEM EPERM") CALL(umount2, "EBUSY ENOMEM EPERM")
	CALL(clone, "EAGAIN ENOMEM EPERM") CALL(clone3, "EAGAIN ENOMEM ENOSYS") CALL(execve, "ENOMEM EACCES E2BIG") CALL(wait4, "EINTR") CALL(waitid, "EINTR")
	CALL(kill, "EPERM") CALL(tgkill, "") CALL(timer_create, "EAGAIN ENOMEM") CALL(timer_settime, "") CALL(timer_delete, "") CALL(setitimer, "")
	CALL(close_range, "ENOSYS EMFILE") CALL(memfd_create, "EMFILE ENOMEM") CALL(getrandom, "EINTR") CALL(chdir, "EACCES") CALL(fchdir, "EACCES")
	CALL(rt_sigaction, "") CALL(rt_sigprocmask, "") CALL(rt_sigreturn, "") CALL(prctl, "") CALL(prlimit64, "") CALL(set_tid_address, "")
	CALL(set_robust_list, "") CALL(rseq, "") CALL(getpid, "") CALL(gettid, "") CALL(getppid, "") CALL(getuid, "") CALL(geteuid, "") CALL(futex, "")
	CALL(clock_gettime, "") CALL(uname, "") CALL(getcwd, "") CALL(umask, "") CALL(exit, "") CALL(exit_group, "") CALL(sysinfo, "") CALL(fadvise64, "")
	CALL(sched_getaffinity, "") CALL(fstatfs, "EIO") CALL(statfs, "EIO") CALL(fchmodat, "EPERM EROFS") CALL(fchownat, "EPERM EROFS") CALL(pidfd_open, "EMFILE")
#ifdef SYS_open
	CALL(open, FILE_MADE) CALL(mkdir, NAME_MADE) CALL(link, NAME_MADE) CALL(rename, NAME_MADE) CALL(renameat, NAME_MADE) CALL(unlink, NAME_GONE)
	CALL(rmdir, NAME_GONE) CALL(readlink, "EIO ENOMEM") CALL(stat, "ENOMEM EACCES EIO") CALL(lstat, "ENOMEM EACCES EIO") CALL(access, "ENOMEM EACCES")
	CALL(poll, "EINTR ENOMEM") CALL(select, "EINTR ENOMEM") CALL(dup2, "EMFILE EBUSY") CALL(pipe, "EMFILE ENFILE") CALL(fork, "EAGAIN ENOMEM")
	CALL(vfork, "EAGAIN ENOMEM") CALL(chmod, "EPERM EROFS") CALL(getdents, "EIO") CALL(arch_prctl, "") CALL(alarm, "") CALL(time, "")
#else
	CALL(renameat, NAME_MADE)
#endif
};

const char *call_name(long number)
{
	static char other[32];

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].number == number)
			return calls[i].name;
	snprintf(other, sizeof other, "call-%ld", number);
	return other;
}

const char *call_errors(const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].errors;
	return "EPERM";
}

int error_number(const char *name)
{
	for (int n = 1; n < 134; n++)
		if (strerrorname_np(n) && !strcmp(strerrorname_np(n), name))
			return n;
	return 0;
}
