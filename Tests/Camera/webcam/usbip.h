/* SPDX-License-Identifier: Apache-2.0 */
#ifndef USBIP_H
#define USBIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The device's side of USB/IP, the protocol in which Linux' virtual host
 * controller (vhci_hcd) speaks of transfers. Described in the kernel's
 * Documentation/usb/usbip_protocol.rst.
 */

/* What the kernel asks for: a transfer, or to take one back. */
struct usbip_request {
    bool unlink;
    uint32_t number;   /* of this request */
    uint32_t unlinked; /* unlink: the number of the transfer to take back */
    bool in;           /* to the host */
    unsigned endpoint;
    size_t length;     /* bytes that the host sends or has room for */
    uint8_t setup[8];  /* of a control transfer */
};

/*
 * Plugs a high-speed device into a port of vhci_hcd.0. Returns the socket on
 * which it talks, or -1 with errno. Closing it is pulling the plug.
 */
int usbip_attach(unsigned port);

/*
 * Reads the next request, and the bytes that it sends into data, which has
 * room for capacity bytes. Returns false when the connection ended.
 */
bool usbip_receive(int socket, struct usbip_request *request, uint8_t *data,
                   size_t capacity);

/*
 * Ends a request: status is 0 or a negative errno, data the length bytes that
 * a transfer to the host carries. Returns false when the connection ended.
 */
bool usbip_reply(int socket, const struct usbip_request *request, int status,
                 const void *data, size_t length);

#endif
