/* Bare MPI: the seconds of an all-reduce of floats by message size, on rank 0, as allreduce_*.py measure them. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    int rank, ranks;
    double taken[1000];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0)
        printf("{\"ranks\": %d, \"seconds\": {", ranks);
    for (int number = 1; number + 1 < argc; number += 2) {
        long size = atol(argv[number]);
        int times = atoi(argv[number + 1]), count = (int)(size / 4);
        if (times > 1000)
            times = 1000;
        float *values = malloc(size);
        for (int place = 0; place < count; place++)
            values[place] = 1.0f;
        for (int turn = -3; turn < times; turn++) {
            MPI_Barrier(MPI_COMM_WORLD);
            double start = MPI_Wtime();
            MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            if (turn >= 0)
                taken[turn] = MPI_Wtime() - start;
            for (int place = 0; place < count; place++)
                values[place] = 1.0f;
        }
        qsort(taken, times, sizeof taken[0], by_value);
        if (rank == 0)
            printf("%s\"%ld\": %.9f", number == 1 ? "" : ", ", size, taken[times / 2]);
        free(values);
    }
    if (rank == 0)
        printf("}}\n");
    MPI_Finalize();
    return 0;
}
