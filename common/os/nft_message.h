/* What the nft modules share: nf_tables messages and their parts. */
#ifndef PLUMB_OS_NFT_MESSAGE_H
#define PLUMB_OS_NFT_MESSAGE_H

#include "os/nft.h"

struct nl_msg *nft_request(int type, int flags, uint8_t family);

void nft_put_data(struct nl_msg *m, int attr, const struct nft_bytes *b);
/* code: NFT_GOTO, NFT_RETURN, …; chain NULL where the verdict has none. */
void nft_put_verdict(struct nl_msg *m, int attr, int code, const char *chain);
/* As nft reads it back; nothing for "". */
void nft_put_comment(struct nl_msg *m, int attr, const char *comment);

/* Appends a change to the transaction's batch and takes the message over; NULL counts as out of memory. */
void nft_change(struct nft *nft, struct nl_msg *m);

#endif
