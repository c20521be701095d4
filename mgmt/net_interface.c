// SPDX-License-Identifier: GPL-2.0-or-later
#include "net_interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/fdio.h"
#include "../base/hash.h"

static int interface_ioctl(unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 || ioctl(fd, request, ifr) < 0 ? -errno : 0;

	fd_close(fd);
	return r;
}

static void name_interface(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
}

int net_bring_up(const char *name)
{
	struct ifreq ifr;
	int r;

	name_interface(&ifr, name);
	r = interface_ioctl(SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	return r < 0 ? r : interface_ioctl(SIOCSIFFLAGS, &ifr);
}

static int set_address(const char *name, unsigned long request, uint32_t address)
{
	struct ifreq ifr;
	struct sockaddr_in *in = (void *)&ifr.ifr_addr;

	name_interface(&ifr, name);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(address);
	return interface_ioctl(request, &ifr);
}

static int set_tap_mac(const char *name, const char *network)
{
	uint32_t hash = hash_bytes(HASH_START, name, strlen(name));
	uint8_t mac[6] = { 0xfe, 'M' };
	struct ifreq ifr;

	put_be32(mac + 2, hash_bytes(hash, network, strlen(network)));
	name_interface(&ifr, name);
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, sizeof(mac));
	return interface_ioctl(SIOCSIFHWADDR, &ifr);
}

int net_open_tap(const char *name, const char *network)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	name_interface(&ifr, name);
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	r = ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : set_tap_mac(name, network);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int net_join_bridge(const char *bridge, const char *tap)
{
	struct ifreq ifr, member;
	int r;

	name_interface(&member, tap);
	r = interface_ioctl(SIOCGIFINDEX, &member);
	name_interface(&ifr, bridge);
	ifr.ifr_ifindex = member.ifr_ifindex;
	return r < 0 ? r : interface_ioctl(SIOCBRADDIF, &ifr);
}

/* Promiscuous while the socket lives: the machines' addresses are not the card's. */
int net_open_packet_socket(const char *name)
{
	struct ifreq ifr;
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct packet_mreq promiscuous = { .mr_type = PACKET_MR_PROMISC };
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return -errno;
	name_interface(&ifr, name);
	r = ioctl(fd, SIOCGIFINDEX, &ifr) < 0 ? -errno : 0;
	address.sll_ifindex = ifr.ifr_ifindex;
	promiscuous.mr_ifindex = ifr.ifr_ifindex;
	if (r == 0 && (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
		       setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
		       setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
		       bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		       setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
				  sizeof(promiscuous)) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int net_set_address(const char *name, uint32_t address, uint32_t netmask)
{
	int r = set_address(name, SIOCSIFADDR, address);

	return r < 0 ? r : set_address(name, SIOCSIFNETMASK, netmask);
}
