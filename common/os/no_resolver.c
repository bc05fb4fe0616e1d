/* libnl's words for addresses and its parser of them, which nothing here calls, would bring glibc's resolver into every static executable: 400 KiB, and
 * warnings. These stand in for what it refers to. Linked in static builds only. */
#ifdef STATIC_LINK
#include <netdb.h>
#include <stddef.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	(void)node, (void)service, (void)hints, (void)res;
	return EAI_FAIL;
}

int getnameinfo(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_size, char *service, socklen_t service_size, int flags)
{
	(void)addr, (void)len, (void)host, (void)host_size, (void)service, (void)service_size, (void)flags;
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *res)
{
	(void)res;
}

struct protoent *getprotobyname(const char *name)
{
	(void)name;
	return NULL;
}

struct protoent *getprotobynumber(int number)
{
	(void)number;
	return NULL;
}

#ifdef __GLIBC__         /* libnl of 2024 and later */
int getprotobyname_r(const char *name, struct protoent *entry, char *buffer, size_t size, struct protoent **found)
{
	(void)name, (void)entry, (void)buffer, (void)size;
	*found = NULL;
	return 0;
}

int getprotobynumber_r(int number, struct protoent *entry, char *buffer, size_t size, struct protoent **found)
{
	(void)number, (void)entry, (void)buffer, (void)size;
	*found = NULL;
	return 0;
}
#endif
#endif
