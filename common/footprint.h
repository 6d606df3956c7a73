/* How much memory a daemon holds while it has little to do: a Pi has not much, and runs several. */
#pragma once

/* Gives back what only starting needed: freed heap, the code and constants of libraries (TLS, crypto and the like set themselves up at length).
 * What is wanted again is mapped again from the page cache. Call it once things have settled. */
void footprint_trim(void);
