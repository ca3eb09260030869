using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.MySql.Migrations
{
    /// <inheritdoc />
    public partial class LighterTaskIndexes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_heavy_tasks_owner",
                table: "heavy_tasks");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_heavy_tasks_owner",
                table: "heavy_tasks",
                column: "owner");
        }
    }
}
