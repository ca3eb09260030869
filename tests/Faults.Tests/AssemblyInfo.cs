// Each test has servers of its own and loads the whole machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
