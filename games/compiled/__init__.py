"""Loops in machine code (numba), beside the array code that defines what they compute.

numba takes a third of a second to load, and the loops some more. So nothing imports it before it pays: array code
counts the time that it takes, and once that is as much as loading, ``loading.kernels`` gives the compiled loops (the
rule of the ski rental problem: at most twice the time of the better choice). Both give the same bits, and the tests
hold them against each other, so results don't depend on which was used.

One thread and no fast mathematics. numba keeps the machine code beside the file of a function, or in the user's cache;
where it can write to neither, it compiles again in each process, for some seconds. It looks at that file alone to tell
whether its code is current. So functions that call each other stand in one file or in ``games.compiled.bits``, whose
check sum becomes part of the names of all of them.

- ``compiling``: compiling and keeping functions.
- ``bits``: what loops over bitboards share.
- ``play``: the rules of boards, and drawing moves.
- ``layers``: the positions of one ply of a board.
- ``deciding``: forced wins on boards with gravity.
- ``loading``: whether loops are loaded yet.
"""
